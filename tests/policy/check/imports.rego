package clnstrt.policy.imports

import input.packages as parts
import data.clnstrt.policy.imports.inner

deny contains {"code": "A", "msg": "an alias of facts"} if {
	some part in parts
	part.purll == "x" # error: CS1203
}

deny contains {"code": "B", "msg": "a path of packages"} if data.clnstrt.policy.imports.helper(input.build)

helper(build) if build.fip # error: CS1203
