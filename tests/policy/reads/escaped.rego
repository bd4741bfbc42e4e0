# What is not followed counts with all that is in it.
package clnstrt.policy.escaped

import data.clnstrt.policy.escaped.library as lib

names := ["image", "request"]

deny contains {"code": "deploy: any fact", "msg": "x"} if {
	some name in names
	input[name].name == "x"
}

deny contains {"code": "release: any fact of the image", "msg": "x"} if {
	some name
	input.image[name] == 1000
}

deny contains {"code": "release: a key that is made", "msg": "x"} if input.image[concat("", ["si", "ze"])] > 1000

deny contains {"code": "release: object.get with a key that is made", "msg": "x"} if {
	object.get(input.image, concat("", ["si", "ze"]), 0) > 1000
}

deny contains {"code": "deploy: everything, as a text", "msg": "x"} if contains(json.marshal(input), "root")

deny contains {"code": "release: every path", "msg": "x"} if {
	walk(input.image, [_, value])
	value == "root"
}

deny contains {"code": "release: compared whole", "msg": "x"} if input.image == {}

deny contains {"code": "release: compared in a list", "msg": "x"} if {} in [input.image]

deny contains {"code": "release: said whole", "msg": "x", "image": input.image} if true == true

deny contains {"code": "release: in what is said", "msg": sprintf("%v", [input.image])} if input.image.shell

deny contains {"code": "release: with other facts", "msg": "x"} if big with input.image.name as "x"

deny contains {"code": "deploy: with another function", "msg": "x"} if input.image.shell with count as mocked

big if input.image.size > 1000

mocked(_) := 3

deny contains {"code": "release: a package as a value", "msg": "x"} if {
	some name
	data.clnstrt.policy.escaped.library[name].kind == "key"
}

deny contains {"code": "release: a package by its alias", "msg": "x"} if {
	some name
	lib[name].kind == "key"
}

deny contains {"code": "release: each", "msg": "x"} if every _, value in input.image { value != 1000 }
