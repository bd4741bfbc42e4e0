# denied: CS1209
package clnstrt.policy

text := concat("", [part | some _ in numbers.range(1, 100000); part := "0123456789"])

deny contains "x" if replace(text, "", text) == ""
