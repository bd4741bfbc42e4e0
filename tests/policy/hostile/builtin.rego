# denied: CS1208
package clnstrt.policy

deny contains "x" if clnstrt.version.compare("deb", input.image.name, "1") > 0
