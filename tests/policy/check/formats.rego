package clnstrt.policy

deny contains {"code": "A", "msg": sprintf("%5d of %-20s", [1, "x"])} if input.build.fips # error: CS1202

deny contains {"code": "B", "msg": sprintf("%2000000000d", [1])} if input.build.fips # error: CS1202

deny contains {"code": "C", "msg": sprintf(input.image.name, [1])} if input.build.fips # error: CS1202
