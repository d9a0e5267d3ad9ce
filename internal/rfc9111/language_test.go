package rfc9111

import (
	"strings"
	"testing"
)

var languageCases = []struct{ field, want string }{
	{"", "en"},
	{"*", "en"},
	{"de", "de"},
	{"DE", "de"},
	{"de-AT", "de"},
	{"de-AT-x-wien", "de"},
	{"pt-br-x-y", "pt-BR"},
	{"pt", "en"}, // RFC 4647 §3.4: a range is shortened, a tag is not
	{"fr;q=0.5, de;q=1.0", "de"},
	{"fr;q=0.5,\tde", "de"},
	{"en, de", "en"},
	{"de, en", "en"},
	{"pt-BR;q=0.7, de;q=0.7", "de"},
	{"de;q=0.1, en;q=0.100", "en"},
	{"de;q=0.1, en;q=0.101", "en"},
	{"fr, de;q=0.2", "de"},
	{"de;q=0", "en"},
	{"de;q=0, de-CH", "de"},
	{"de;q=2, pt-BR;q=.3, pt-BR;q=0.1", "pt-BR"},
	{"de;level=1, pt-BR;q=0.01", "pt-BR"},
	{"sv, da, *;q=0.3", "en"},
	{`de", en`, "en"},
	{"-, --, x-de, ,", "en"},
}

func TestB_Language(t *testing.T) {
	produced := []string{"en", "de", "pt-BR"}
	for _, c := range languageCases {
		if got := Language(strings.Split(c.field, "\t"), produced); got != c.want {
			t.Errorf("Language(%q) = %q, want %q", c.field, got, c.want)
		}
	}
	if got := Language(nil, produced); got != "en" {
		t.Errorf("without a field: %q", got)
	}
	if got := Language([]string{"de"}, nil); got != "" {
		t.Errorf("without languages: %q", got)
	}
}

// What Language returns is one that is produced, and prefers itself.
func FuzzLanguage(f *testing.F) {
	for _, c := range languageCases {
		f.Add(c.field)
	}
	produced := []string{"en", "de", "pt-BR", "zh-Hant-TW"}
	f.Fuzz(func(t *testing.T, field string) {
		got := Language(strings.Split(field, "\n"), produced)
		found := false
		for _, language := range produced {
			found = found || got == language
		}
		if !found {
			t.Fatalf("Language(%q) = %q, which is not produced", field, got)
		}
		if again := Language([]string{got}, produced); again != got {
			t.Fatalf("Language(%q) = %q, and of that %q", field, got, again)
		}
	})
}
