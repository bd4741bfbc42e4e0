package clnstrt.policy

deny contains "x" if [[[[[[[[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]]]]]]]] == 1 # error: CS1201
