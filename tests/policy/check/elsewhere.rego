package conftest

deny contains "nobody asks" if input.build.fips # error: CS1202
