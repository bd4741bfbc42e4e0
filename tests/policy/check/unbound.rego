package clnstrt.policy

deny contains msg if input.build.fips # error: CS1201

deny contains {"code": "A", "msg": sprintf("%s", [nam])} if { # error: CS1201
	name := input.image.name
	name != ""
}
