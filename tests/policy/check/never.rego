package clnstrt.policy

deny contains {"code": "A", "msg": "no such stage"} if input.stage == "build" # error: CS1205

deny contains {"code": "B", "msg": "a word for yes"} if {
	some part in input.packages
	part.pinned == "yes" # error: CS1205
}

deny contains {"code": "C", "msg": "written out"} if {
	input.build.fips
	false # error: CS1205
}

deny contains {"code": "D", "msg": "two values at once"} if {
	input.base.language == "python"
	input.base.language == "go" # error: CS1205
}

deny contains {"code": "E", "msg": "two literals"} if 1 == 2 # error: CS1205

deny contains {"code": "F", "msg": "a list and a text"} if input.packages == "zlib" # error: CS1205
