// Package docs executes the documentation: every fenced block of README.md, docs,
// examples and .github is a test, named for its file and line. make docs-test runs it.
//
// What follows the fence says what a block is:
//
//	go      a file that begins with package is built, and run: tests by go test, a program that listens
//	        on localhost:8080 by being asked twice, MISS and then HIT, any other program to its end. All
//	        else is a fragment, declarations or statements, and is compiled with what testdata/prelude.go
//	        declares. … stands for what is left out
//	sh      commands of those that shell_test.go knows, run from the repository's root, or from the
//	        page's directory if that is a module. while :; do …; done is done once
//	conf    lines of redis.conf, with which a server starts
//	redis   commands that a server accepts
//	promql  expressions, with an empty line between two
//	yaml    YAML; where it has groups, rules that promtool accepts
//	json    JSON
//	text    not executed, as what has no word at all
//
// A comment before a block, on a line of its own, says what the block cannot:
//
//	<!-- docs-test: GET /products/42 -->  what to ask the program
//	<!-- docs-test: status 403 -->        what curl is answered, if not 2xx or 3xx
//
// Nothing is left out: an unknown word, command, flag or comment fails, as does code
// that is indented and not fenced. So do links that lead nowhere.
package docs
