package redistest

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"

	"github.com/testcontainers/testcontainers-go"
)

const (
	localRepo = "reprise/redis-local"

	// The server's settings are its ENTRYPOINT, because a container's own
	// arguments take the place of a CMD.
	dockerfile = `FROM scratch
COPY root/ /
EXPOSE 6379
ENTRYPOINT ["/usr/bin/redis-server", "--protected-mode", "no", "--save", "", "--appendonly", "no"]
`
)

// localImage builds an image of nothing but this machine's redis-server and
// the libraries it needs, and returns its name. The engine's layer cache makes
// the second time cheap.
func localImage(ctx context.Context, say reporter) (string, error) {
	if runtime.GOOS != "linux" {
		return "", fmt.Errorf("an image from this machine's redis-server needs Linux, not %s", runtime.GOOS)
	}
	path, err := binary(ctx, say)
	if err != nil {
		return "", err
	}
	version, err := binaryVersion(ctx, path)
	if err != nil {
		return "", err
	}
	dir, err := os.MkdirTemp("", "redistest-image-")
	if err != nil {
		return "", err
	}
	defer os.RemoveAll(dir)
	if err := fillContext(ctx, dir, path); err != nil {
		return "", fmt.Errorf("image context: %w", err)
	}
	engine, err := testcontainers.NewDockerProvider()
	if err != nil {
		return "", err
	}
	defer engine.Close()
	image, err := engine.BuildImage(ctx, &testcontainers.ContainerRequest{FromDockerfile: testcontainers.FromDockerfile{
		Context: dir, Repo: localRepo, Tag: version, KeepImage: true,
	}})
	if err != nil {
		return "", fmt.Errorf("build of %s:%s: %w", localRepo, version, err)
	}
	return image, nil
}

// fillContext lays out in dir what the image is built from.
func fillContext(ctx context.Context, dir, path string) error {
	root := filepath.Join(dir, "root")
	files, err := libraries(ctx, path)
	if err != nil {
		return err
	}
	for _, lib := range files {
		if err := copyFile(filepath.Join(root, lib), lib); err != nil {
			return err
		}
	}
	if err := copyFile(filepath.Join(root, "usr/bin/redis-server"), path); err != nil {
		return err
	}
	tmp := filepath.Join(root, "tmp")
	if err := os.MkdirAll(tmp, 0o755); err != nil {
		return err
	}
	if err := os.Chmod(tmp, 0o777|os.ModeSticky); err != nil { // Mkdir's mode is subject to the umask
		return err
	}
	return os.WriteFile(filepath.Join(dir, "Dockerfile"), []byte(dockerfile), 0o644)
}

var libraryPattern = regexp.MustCompile(`(?m)(/\S+) \(0x[0-9a-f]+\)$`)

// libraries returns the paths of the shared libraries that the program at path
// loads, the loader included.
func libraries(ctx context.Context, path string) ([]string, error) {
	out, err := exec.CommandContext(ctx, "ldd", path).Output()
	if err != nil {
		return nil, fmt.Errorf("ldd %s: %w", path, err)
	}
	var found []string
	for _, m := range libraryPattern.FindAllSubmatch(out, -1) {
		found = append(found, string(m[1]))
	}
	if found == nil {
		return nil, fmt.Errorf("ldd %s lists no libraries", path)
	}
	return found, nil
}

// copyFile copies what from is or links to: a package's redis-server is a link.
func copyFile(to, from string) error {
	content, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
		return err
	}
	return os.WriteFile(to, content, 0o755)
}
