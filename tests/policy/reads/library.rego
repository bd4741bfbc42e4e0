# What others use by its name.
package clnstrt.policy.escaped.library

newest := input.image.secrets[0]
