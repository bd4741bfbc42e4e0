# denied: CS1208
package clnstrt.policy

deny contains "x" if startswith(input.image.entrypoint[0], 3)
