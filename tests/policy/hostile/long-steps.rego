# denied: CS1209
package clnstrt.policy

deny contains "x" if count(numbers.range_step(1000000000000000000, 1, 2)) == 1
