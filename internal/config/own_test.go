package config

import (
	"os"
	"path/filepath"
	"testing"
)

// What the node's own settings refer to, its keys and its state are no secrets for data sources, by whatever path they
// are named; other files and variables are.
func TestOwn(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("HOME", dir)
	own := map[string]string{}
	for _, name := range []string{"node.key", "api.key", "id_git", "admin", "hook", "gossip", "git", "db", "appsettings.json", "data/raft.db", ".ssh/id_ed25519"} {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte("x"), 0o600); err != nil {
			t.Fatal(err)
		}
		own[name] = path
	}
	link, folder := filepath.Join(dir, "link"), filepath.Join(dir, "folder")
	for from, to := range map[string]string{link: own["admin"], folder: filepath.Join(dir, "data")} {
		if err := os.Symlink(to, from); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Link(own["hook"], filepath.Join(dir, "hard")); err != nil {
		t.Fatal(err)
	}
	reference := func(name string) Secret { return Secret("${file:" + own[name] + "}") }
	user, address := "${GIT_USER}", "https://x/${GIT_PATH}.git"
	admin, hook, gossip, password := reference("admin"), reference("hook"), reference("gossip"), Secret("a${GIT_A}b${file:"+own["git"]+"}${GIT_B")
	c := &Config{file: own["appsettings.json"]}
	c.Cluster.DataDirectory, c.Cluster.TLS.KeyFile, c.API.TLS.KeyFile = filepath.Join(dir, "data"), own["node.key"], own["api.key"]
	c.GitOps.Credentials.SSHKeyFile = own["id_git"]
	for _, value := range []any{Secret(user), address, admin, hook, gossip, password, nil, 3} {
		c.values = append(c.values, heldValue{"x", func() any { return value }})
	}
	o := c.Own()
	for name, path := range own {
		if got := o.Holds("file:" + path); got == (name == "db") {
			t.Errorf("%s is the node's own: %v", name, got)
		}
	}
	for reference, want := range map[string]bool{
		"file:" + link: true, "file:" + folder + "/raft.db": true, "file:" + dir + "/hard": true, "file:" + dir + "/data/../admin": true,
		"file:/proc/self/environ": true, "file:/dev/stdin": true, "file:/proc/../proc/1/mem": true, "file:" + dir + "/data/gone": true,
		"file:" + dir + "/gone": false, "file:" + dir + "/database": false, "file:": false,
		"GIT_USER": true, "GIT_PATH": true, "GIT_A": true, "GIT_B": false, "DB_PASSWORD": false, "HONUA_TOKEN": true,
		"Auth__AdminToken": true, "gitops__credentials__password": true, "MY__PASSWORD": false, "Cluster": false,
	} {
		if got := o.Holds(reference); got != want {
			t.Errorf("%s is the node's own: %v", reference, got)
		}
	}
}
