package clnstrt.policy.imports

import data.clnstrt.policy.imports.helper
import data.clnstrt.policy.imports as here
import input.packages as parts

deny contains {"code": "A", "msg": "an alias of facts"} if {
	some part in parts
	part.purll == "x" # error: CS1203
}

deny contains {"code": "B", "msg": "a path of packages"} if data.clnstrt.policy.imports.helper(input.build)

deny contains {"code": "C", "msg": "a function by its alias"} if helper(input.image)

deny contains {"code": "D", "msg": "a rule in a package by its alias"} if some one in here.critical

helper(build) if build.fip # error: CS1203 CS1203

critical contains one.id if {
	some one in input.vulnerabilities
	one.sevrity == "critical" # error: CS1203
}
