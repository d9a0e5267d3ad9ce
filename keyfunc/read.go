package keyfunc

import "strings"

// A Part is one thing that a key of a request holds: "class", "scheme", "host",
// "path" or "query", or what stands with its name in the key, such as a header
// field. Values are as in the key, escaped; those of a field with several lines are
// each in a pair of brackets.
type Part struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

// Read takes a key apart that a [Func] of this package has made of a request, for
// people to read. Of a long key the end is a hash, which stands for what is not
// there. It returns nil for a key that was made otherwise.
func Read(key string) []Part {
	fields := strings.Split(key, "|")
	if len(fields) < 4 || fields[1] != "http" && fields[1] != "https" {
		return nil
	}
	parts := []Part{{"class", fields[0]}, {"scheme", fields[1]}, {"host", fields[2]}, {"path", fields[3]}}
	for _, f := range fields[4:] {
		name, value, named := strings.Cut(f, "<")
		if !named {
			name, value = "query", f
		}
		parts = append(parts, Part{name, strings.TrimSuffix(value, ">")})
	}
	return parts
}
