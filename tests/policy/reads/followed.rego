# What is followed to the fact that is read, and no further: these decide as early as that fact is known.
package clnstrt.policy.followed

deny contains {"code": "compile: an alias", "msg": "x"} if {
	image := input.image
	image.shell
}

deny contains {"code": "compile: an alias used before it is bound", "msg": "x"} if {
	image.shell
	image = input.image
}

deny contains {"code": "release: an alias used before it is bound", "msg": "x"} if {
	image.size > 1000
	image = input.image
}

deny contains {"code": "compile: a rule with a condition, twice", "msg": "x"} if {
	fast_image.shell
	fast_image.name == "x"
}

fast_image := input.image if input.build.fips

deny contains {"code": "release: a rule with a condition, twice", "msg": "x"} if {
	fast_image.shell
	fast_image.size > 1000
}

deny contains {"code": "release: one of two definitions", "msg": "x"} if either.size > 1000

either := input.image if input.build.fips

either := {"size": 3} if not input.build.fips

deny contains {"code": "release: a pattern", "msg": "x"} if {
	[image, _] = [input.image, 1]
	image.size > 1000
}

deny contains {"code": "compile: a pattern", "msg": "x"} if {
	[image] := [input.image]
	image.name == "x"
}

deny contains {"code": "release: a set of what was found", "msg": "x"} if {
	some secret in found
	secret.kind == "key"
}

found contains secret if some secret in input.image.secrets

deny contains {"code": "compile: a set of packages", "msg": "x"} if {
	some part in direct
	part.verified == "no"
}

direct contains part if {
	some part in input.packages
	part.direct
}

deny contains {"code": "release: a set of packages", "msg": "x"} if {
	some part in direct
	part.files > 10
}

deny contains {"code": "release: a comprehension", "msg": "x"} if {
	parts := [part | some part in input.packages; part.direct]
	parts[0].files > 10
}

deny contains {"code": "compile: how many", "msg": "x"} if count(input.packages) > 10

deny contains {"code": "compile: object.get", "msg": "x"} if object.get(input.image.labels, "team", "") == ""

deny contains {"code": "release: object.get", "msg": "x"} if object.get(input, ["image", "size"], 0) > 1000

deny contains {"code": "release: one of two arguments", "msg": "x"} if large(input.image)

large(image) if image.size > 1000

deny contains {"code": "release: the result as an argument", "msg": "x"} if {
	same(input.image, image)
	image.size > 1000
}

same(x) := x

deny contains {"code": "release: through three names, before they are bound", "msg": "x"} if {
	a.size > 1000
	a = b
	b = c
	c = input.image
}

deny contains {"code": "compile: an index", "msg": "x"} if {
	input.packages[i].direct
	i > 3
}

deny contains {"code": "compile: how many in a list of what was found", "msg": "x"} if {
	found_here := [part | some part in input.packages; part.direct]
	count(found_here) > 10
}
