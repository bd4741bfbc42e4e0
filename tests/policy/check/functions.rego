package clnstrt.policy

deny contains {"code": "A", "msg": "no clock"} if time.now_ns() > 0 # error: CS1204

deny contains {"code": "B", "msg": "no network"} if http.send({"method": "get", "url": "x"}).status_code == 200 # error: CS1204

deny contains {"code": "C", "msg": "misspelt"} if strtswith(input.image.name, "x") # error: CS1204

deny contains {"code": "D", "msg": "too few arguments"} if startswith(input.image.name) # error: CS1204

deny contains {"code": "E", "msg": "no chance"} if rand.intn("x", 2) == 1 # error: CS1204

deny contains {"code": "F", "msg": "our own, and what it is given"} if {
	clnstrt.version.compare("deb", input.image.verson, "1") < 0 # error: CS1203
}
