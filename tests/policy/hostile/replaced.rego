# denied: CS1209
package clnstrt.policy

square(x) := replace(x, "a", x)

deny contains "x" if {
	a := square(square("aaaaaaaaaa"))
	count(square(a)) == 1
}
