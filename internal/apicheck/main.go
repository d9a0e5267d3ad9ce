// Apicheck compares the exported API of the module with that of its last
// release, and fails at changes that break users.
//
//	go run . -C ../..                 compares with the newest api/vX.Y.Z.txt
//	go run . -C ../.. -write v0.2.0   writes api/v0.2.0.txt, as part of a release
//	go run . -C ../.. -print          writes the same to standard output
//
// A baseline is Go source without comments or bodies: what a user can name, and no
// more. What breaks is what golang.org/x/exp/apidiff says breaks. A break that is
// meant stands in api/breaks.txt, word for word, until the release that makes it.
package main

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"io"
	"log"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/exp/apidiff"
	"golang.org/x/mod/semver"
)

// errBroken says that the API breaks its users, or that a break is listed that is none.
var errBroken = errors.New("the API has incompatible changes that api/breaks.txt does not list, or it lists what is none")

// noBreaks is a list of breaks when a release has been made.
const noBreaks = "# Breaks that are meant, as make api words them, until the release that makes them.\n"

func main() {
	log.SetFlags(0)
	dir := flag.String("C", ".", "the module's directory")
	version := flag.String("write", "", "the version whose baseline is written, such as v0.2.0")
	show := flag.Bool("print", false, "print the baseline that would be written")
	flag.Parse()
	var err error
	switch {
	case *show:
		err = printTo(os.Stdout, *dir)
	case *version != "":
		err = write(*dir, *version)
	default:
		err = check(*dir, os.Stdout)
	}
	if err != nil {
		log.Fatal(err)
	}
}

// printTo writes the API of the module at dir to out.
func printTo(out io.Writer, dir string) error {
	now, err := describe(dir)
	if err != nil {
		return err
	}
	_, err = out.Write(now.text())
	return err
}

// write makes the API of the module at dir the baseline of version, and the list of
// breaks empty.
func write(dir, version string) error {
	if !semver.IsValid(version) || semver.Canonical(version) != version {
		return fmt.Errorf("%q is no version such as v0.2.0", version)
	}
	var text bytes.Buffer
	if err := printTo(&text, dir); err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(dir, "api", version+".txt"), text.Bytes(), 0o644); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, "api", "breaks.txt"), []byte(noBreaks), 0o644)
}

// check writes to out how the API of the module at dir differs from its newest
// baseline.
func check(dir string, out io.Writer) error {
	name, err := newest(filepath.Join(dir, "api"))
	if err != nil {
		return err
	}
	then, err := read(name)
	if err != nil {
		return err
	}
	now, err := describe(dir)
	if err != nil {
		return err
	}
	report, err := compare(dir, then, now)
	if err != nil {
		return err
	}
	meant, err := os.ReadFile(filepath.Join(dir, "api", "breaks.txt"))
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "the API since %s\n", strings.TrimSuffix(filepath.Base(name), ".txt"))
	return judge(out, report, lines(meant))
}

// judge writes report to out. Of its breaks those in meant are none, and each of
// meant has to be one.
func judge(out io.Writer, report apidiff.Report, meant []string) error {
	broken := false
	var found []string
	for _, c := range report.Changes {
		kind := "compatible"
		if !c.Compatible {
			found = append(found, c.Message)
			if kind = "meant"; !slices.Contains(meant, c.Message) {
				kind, broken = "INCOMPATIBLE", true
			}
		}
		fmt.Fprintf(out, "  %-12s %s\n", kind, c.Message)
	}
	for _, m := range meant {
		if !slices.Contains(found, m) {
			fmt.Fprintf(out, "  %-12s %s\n", "NO BREAK", m)
			broken = true
		}
	}
	switch {
	case broken:
		return errBroken
	case len(report.Changes) == 0:
		fmt.Fprintln(out, "  no changes")
	}
	return nil
}

// newest returns the file of the highest version in dir.
func newest(dir string) (string, error) {
	names, err := filepath.Glob(filepath.Join(dir, "v*.txt"))
	if err != nil {
		return "", err
	}
	if len(names) == 0 {
		return "", fmt.Errorf("no baseline in %s", dir)
	}
	return slices.MaxFunc(names, func(a, b string) int {
		return semver.Compare(strings.TrimSuffix(filepath.Base(a), ".txt"), strings.TrimSuffix(filepath.Base(b), ".txt"))
	}), nil
}

// lines returns the lines of text that are neither empty nor comments.
func lines(text []byte) []string {
	return slices.DeleteFunc(strings.Split(string(text), "\n"), func(l string) bool {
		return strings.TrimSpace(l) == "" || strings.HasPrefix(l, "#")
	})
}
