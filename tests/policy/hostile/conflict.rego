# denied: CS1208
package clnstrt.policy

limit := 1 if input.build.fips

limit := 2 if input.build.strip

deny contains "x" if limit > 0
