package clnstrt.policy

deny contains {"code": "A", "msg": "the name at the top"} if input.pakages[0].purl == "x" # error: CS1203

deny contains {"code": "B", "msg": "behind a variable"} if {
	some part in input.packages
	part.verfied == "openpgp" # error: CS1203
}

deny contains {"code": "C", "msg": "given to a function"} if {
	some part in input.packages
	is_old(part)
}

is_old(part) if part.versoin == "1" # error: CS1203

deny contains {"code": "D", "msg": "a list has no names"} if input.packages.purl == "x" # error: CS1203

deny contains {"code": "E", "msg": "a text has none either"} if input.base.version.major == "3" # error: CS1203

deny contains {"code": "F", "msg": "through a rule"} if base.languge == "python" # error: CS1203

base := input.base

deny contains {"code": "G", "msg": "under every"} if {
	every part in input.packages {
		part.sha1 == "x" # error: CS1203
	}
}

deny contains {"code": "H", "msg": "in brackets"} if input["image"]["usr"] == 0 # error: CS1203

deny contains {"code": "I", "msg": "in a comprehension"} if count([one.nam | some one in input.requirements]) > 0 # error: CS1203

deny contains {"code": "J", "msg": "a map has any name, an object only its own"} if {
	input.image.env.ANYTHING == "x"
	input.image.envs.ANYTHING == "x" # error: CS1203
}
