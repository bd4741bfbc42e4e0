package clnstrt.policy.names

import input.packages

i := 0

limit := 5

deny contains {"code": "A", "msg": "the evaluator would take the rule"} if {
	some i # error: CS1202
	input.packages[i].direct
}

deny contains {"code": "B", "msg": "and the import"} if {
	some packages in [1] # error: CS1202
	packages == 1
}

deny contains {"code": "C", "msg": "and the argument of a function"} if above(3)

above(limit) if limit > 3 # error: CS1202

deny contains {"code": "D", "msg": "an object is no pattern"} if {
	{"name": name} = input.image # error: CS1202
	name == "x"
}

deny contains {"code": "E", "msg": "with"} if limit == 7 with data.clnstrt.policy.names.limit as 7 # error: CS1202

deny contains {"code": "F", "msg": "with"} if count(input.packages) == 7 with count as 7 # error: CS1202
