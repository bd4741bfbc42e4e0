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

big if input.image.size > 1000

deny contains {"code": "release: a package as a value", "msg": "x"} if {
	some name
	data.clnstrt.policy.escaped.library[name].kind == "key"
}

deny contains {"code": "release: a package by its alias", "msg": "x"} if {
	some name
	lib[name].kind == "key"
}

deny contains {"code": "release: each", "msg": "x"} if every _, value in input.image { value != 1000 }

images contains input.image

made[input.image] := 1

deny contains {"code": "release: a member of a set as its key", "msg": "x"} if {
	images[it]
	it.size > 1000
}

deny contains {"code": "release: a member of a set as a part of its key", "msg": "x"} if {
	pairs[[it, _]]
	it.size > 1000
}

pairs contains [input.image, 1]

deny contains {"code": "release: a key of an object", "msg": "x"} if {
	some it, _ in made
	it.size > 1000
}

deny contains {"code": "release: the names of facts", "msg": "x"} if {
	some name, _ in input.image
	name == "size"
}

deny contains {"code": "release: the names of facts by an index", "msg": "x"} if {
	some name
	input.image[name]
	name == "size"
}

deny contains {"code": "release: how many names", "msg": "x"} if count(input.image) > 17

deny contains {"code": "release: an object in objects", "msg": "x"} if nested.image.info.size > 1000

nested.image.info := input.image

deny contains {"code": "release: objects by keys", "msg": "x"} if {
	some a, b
	keyed[a][b].size > 1000
}

keyed[name][name] := input.image if name := input.image.name

deny contains {"code": "release: a package as an object", "msg": "x"} if {
	all_of_it := data.clnstrt.library
	all_of_it.inner.newest.kind == "key"
}

deny contains {"code": "release: a pattern that compares", "msg": "x"} if {
	size = input.image.size
	[1, 2] = [1, size]
}

deny contains {"code": "release: a pattern that compares with a rule", "msg": "x"} if {
	pair := [1, 2]
	[_, largest] = pair
}

largest := input.image.size

deny contains {"code": "release: an answer that is compared", "msg": "x"} if abs(3, largest)

deny contains {"code": "release: how many in a set of what was found", "msg": "x"} if {
	count({part | some part in input.packages; part.direct}) > 10
}
