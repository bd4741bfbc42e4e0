package clnstrt.policy

deny[msg] { # error: CS1201
	msg := "of before 1.0"
}
