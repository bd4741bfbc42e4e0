package clnstrt.policy.data

import data.clnstrt.policy.data.allowed as fine

deny contains {"code": "A", "msg": "data beside policies are not seen"} if input.image.name in data.org.denied # error: CS1203

deny contains {"code": "B", "msg": "a rule that is misspelt"} if data.clnstrt.policy.data.allowd # error: CS1203

deny contains {"code": "C", "msg": "a package as a whole"} if count(data.clnstrt.policy.other) > 0 # error: CS1203

deny contains {"code": "D", "msg": "one that is there"} if not fine

allowed if input.build.fips
