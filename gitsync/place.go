package gitsync

import (
	"bufio"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// Place decides where the mirror lives: in dir if that is missing, empty or a mirror of ours;
// otherwise in fallback, for what is in dir belongs to an operator and is never changed. In
// that case origin is the URL of the remote "origin" of the clone in dir, "" if it is no clone
// or has none. An empty dir means fallback.
func Place(dir, fallback string) (mirrorDir, origin string, err error) {
	if dir == "" {
		return fallback, "", nil
	}
	owned, err := isOurs(dir)
	if err != nil {
		return "", "", err
	}
	if owned {
		return dir, "", nil
	}
	origin, err = OriginOf(dir)
	if err != nil && !errors.Is(err, ErrUnavailable) && !errors.Is(err, ErrConfig) {
		return "", "", err
	}
	return fallback, origin, nil
}

// OriginOf returns the URL of the remote "origin" of the clone in dir. It only reads. It fails
// with ErrUnavailable if dir holds no repository, and with ErrConfig if that has no origin.
// The URL may hold a password: show it through Redact.
func OriginOf(dir string) (url string, err error) {
	found, err := findRepository(dir)
	if err != nil {
		return "", err
	}
	text, err := readSmall(filepath.Join(found.common, "config"))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return "", fmt.Errorf("%w: %w", ErrUnavailable, err)
	}
	url = originIn(text)
	if url == "" {
		return "", fmt.Errorf("%w: the repository in %s has no remote named origin; set GitOps.RepositoryUrl", ErrConfig, dir)
	}
	if !strings.Contains(url, ":") && !filepath.IsAbs(url) {
		url = filepath.Join(dir, url)
	}
	if filepath.IsAbs(url) { // a plain path is fine for git and means this
		return "file://" + filepath.ToSlash(url), nil
	}
	return url, nil
}

// originIn finds the url of [remote "origin"] in a Git configuration file.
func originIn(text string) string {
	inside := false
	lines := bufio.NewScanner(strings.NewReader(text))
	for lines.Scan() {
		line := strings.TrimSpace(lines.Text())
		if strings.HasPrefix(line, "[") {
			inside = strings.EqualFold(strings.Join(strings.Fields(line), " "), `[remote "origin"]`)
			continue
		}
		key, value, ok := strings.Cut(line, "=")
		if inside && ok && strings.EqualFold(strings.TrimSpace(key), "url") {
			return strings.Trim(strings.TrimSpace(value), `"`)
		}
	}
	return ""
}

// exists reports whether a path exists, without following a final link.
func exists(path string) bool {
	_, err := os.Lstat(path)
	return err == nil
}
