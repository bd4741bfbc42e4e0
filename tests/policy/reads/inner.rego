# A package in a package.
package clnstrt.library.inner

newest := input.image.secrets[0]
