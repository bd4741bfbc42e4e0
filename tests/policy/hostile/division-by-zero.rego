# denied: CS1208
package clnstrt.policy

deny contains "x" if 1 / count(input.image.command) > 0
