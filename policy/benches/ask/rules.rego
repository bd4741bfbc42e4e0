# Ten rules that look at every package.
package clnstrt.policy.bench

allowed := {"MIT", "Apache-2.0", "BSD-3-Clause", "PSF-2.0"}

forbidden := {"left-pad", "event-stream", "library-13"}

deny contains {"code": "B01", "package": part.purl, "msg": sprintf("nobody vouches for %s", [part.name])} if {
	some part in input.packages
	part.verified == "unsigned-upstream"
}

deny contains {"code": "B02", "package": part.purl, "msg": sprintf("%s is not pinned", [part.name])} if {
	some part in input.packages
	part.direct
	not part.pinned
}

deny contains {"code": "B03", "package": part.purl, "msg": sprintf("the licence %s is not allowed", [part.licence])} if {
	some part in input.packages
	not part.licence in allowed
}

deny contains {"code": "B04", "package": part.purl, "msg": sprintf("%s is forbidden", [part.name])} if {
	some part in input.packages
	part.name in forbidden
}

deny contains {"code": "B05", "package": part.purl, "msg": "an expired release vouches for it"} if {
	some part in input.packages
	part.expired_accepted
}

deny contains {"code": "B06", "package": part.purl, "msg": "it is not there for every architecture"} if {
	some part in input.packages
	some arch in input.image.architectures
	not arch in part.architectures
}

deny contains {"code": "B07", "package": part.purl, "msg": "its digest is none"} if {
	some part in input.packages
	count(part.sha256) != 64
}

deny contains {"code": "B08", "package": part.purl, "msg": "it has no version of three parts"} if {
	some part in input.packages
	part.type == "pypi"
	count(split(part.version, ".")) < 3
}

deny contains {"code": "B09", "package": part.purl, "msg": "its URL says something else"} if {
	some part in input.packages
	not startswith(part.purl, concat("", ["pkg:", part.type, "/"]))
}

deny contains {"code": "B10", "package": part.purl, "msg": sprintf("it is signed by %v", [part.signed_by])} if {
	some part in input.packages
	part.type == "deb"
	every key in part.signed_by {
		not endswith(key, "0")
	}
}
