# denied: CS1208
package clnstrt.policy

deny contains "x" if bits.lsh(1, 4000000000) > 1
