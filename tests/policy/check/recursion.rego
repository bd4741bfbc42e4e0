package clnstrt.policy

deny contains "x" if again(3)

again(n) if again(n - 1) # error: CS1202

deny contains "y" if left

left if right # error: CS1202

right if left # error: CS1202
