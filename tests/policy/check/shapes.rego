package clnstrt.policy

deny := "a value" if input.build.fips # error: CS1202

warn(x) := x # error: CS1202

deny.more contains "x" if input.build.fips # error: CS1202

deny[said] if said := input.image.name # error: CS1202

sprintf(_, _) := "x" if input.build.fips # error: CS1202
