# denied: CS1209
package clnstrt.policy

deny contains "x" if regex.match(`(((((a{100}){100}){100}){100}){100})`, input.image.name)
