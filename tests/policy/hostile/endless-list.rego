# denied: CS1209
package clnstrt.policy

deny contains "x" if count([sprintf("%d-%d", [a, b]) | some a in numbers.range(1, 100000); some b in numbers.range(1, 100000)]) == 1
