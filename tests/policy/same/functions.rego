# Functions that are ours in the place of the evaluator's, said the same by other evaluators.
package clnstrt.policy.same

deny contains {"code": "range", "msg": json.marshal([numbers.range(first, last) | some [first, last] in [[1, 5], [5, 1], [3, 3], [-2, 2]]])} if input.version

deny contains {"code": "range_step", "msg": json.marshal([numbers.range_step(first, last, step) | some [first, last, step] in [[1, 10, 3], [10, 1, 3], [3, 3, 7], [0, 9, 9]]])} if input.version

deny contains {"code": "lsh", "msg": json.marshal([bits.lsh(number, places) | some [number, places] in [[1, 0], [1, 10], [-3, 4], [0, 62]]])} if input.version

deny contains {"code": "concat", "msg": json.marshal([concat(", ", parts) | some parts in [["b", "a"], [], {"b", "a"}]])} if input.version

deny contains {"code": "replace", "msg": json.marshal([replace(text, old, new) | some [text, old, new] in [["aXbX", "X", "--"], ["ab", "", "."], ["", "a", "b"], ["aaa", "aa", "b"]]])} if input.version

deny contains {"code": "replace_n", "msg": json.marshal([strings.replace_n(pairs, text) | some [pairs, text] in [[{"(": "[", ")": "]"}, "(b)"], [{}, "x"]]])} if input.version

deny contains {"code": "pattern", "msg": json.marshal([regex.replace(text, pattern, new) | some [text, pattern, new] in [["foobar", "o+", "0"], ["a1b22", "([a-z])([0-9]+)", "$2$1"], ["abc", "", "-"], ["abc", "x", "y"], ["äb", "b", "$0$0"]]])} if input.version
