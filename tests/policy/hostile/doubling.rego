# denied: CS1209
package clnstrt.policy

twice(x) := concat("", [x, x, x, x, x, x, x, x])

deny contains "x" if {
	a := twice(twice(twice(twice(input.image.name))))
	b := twice(twice(twice(twice(a))))
	c := twice(twice(twice(twice(b))))
	d := twice(twice(twice(twice(c))))
	count(d) == 1
}
