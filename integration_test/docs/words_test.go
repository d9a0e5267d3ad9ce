package docs

import (
	"errors"
	"strings"
)

// A word is one of a command line.
type word struct {
	text       string // without its quotes
	operator   bool   // | && ; and the like, outside of quotes
	start, end int    // in the line
}

func texts(words []word) []string {
	all := make([]string, len(words))
	for i, w := range words {
		all[i] = w.text
	}
	return all
}

// split takes a command line apart as a shell does, as far as quotes, backslashes,
// comments and operators go: an operator is one of these characters, or several.
func split(line, operators string) ([]word, error) {
	var words []word
	for i := 0; i < len(line); {
		switch c := line[i]; {
		case strings.IndexByte(" \t\n", c) >= 0:
			i++
		case c == '#':
			return words, nil
		case strings.IndexByte(operators, c) >= 0:
			end := i + 1
			for end < len(line) && line[end] == c {
				end++
			}
			words = append(words, word{text: line[i:end], operator: true, start: i, end: end})
			i = end
		default:
			text, end, err := scanWord(line, i, operators)
			if err != nil {
				return nil, err
			}
			words = append(words, word{text: text, start: i, end: end})
			i = end
		}
	}
	return words, nil
}

// scanWord reads the word that begins at start, and returns where it ends.
func scanWord(line string, start int, operators string) (text string, end int, err error) {
	var b strings.Builder
	var quote byte
	for i := start; i < len(line); i++ {
		switch c := line[i]; {
		case quote != '\'' && c == '\\' && i+1 < len(line):
			i++
			b.WriteByte(line[i])
		case c == quote:
			quote = 0
		case quote == 0 && (c == '\'' || c == '"'):
			quote = c
		case quote == 0 && strings.IndexByte(" \t\n"+operators, c) >= 0:
			return b.String(), i, nil
		default:
			b.WriteByte(c)
		}
	}
	if quote != 0 {
		return "", 0, errors.New("a quote does not end")
	}
	return b.String(), len(line), nil
}
