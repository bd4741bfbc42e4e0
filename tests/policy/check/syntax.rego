package clnstrt.policy

deny contains "x" if {
	input.build.fips ==
} # error: CS1201
