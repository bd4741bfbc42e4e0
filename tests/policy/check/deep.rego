package clnstrt.policy.deep

deny contains "x" if f3(input.image) == 1

f0(x) := [[[[[[[[[[[[[[[[[x]]]]]]]]]]]]]]]]] # error: CS1202

f1(x) := f0(f0(x))

f2(x) := f1(f1(x))

f3(x) := f2(f2(x))
