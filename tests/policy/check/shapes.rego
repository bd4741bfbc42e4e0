package clnstrt.policy

deny := "a value" if input.build.fips # error: CS1202

warn(x) := x # error: CS1202
