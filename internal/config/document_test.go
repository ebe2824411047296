package config

import (
	goflag "flag"
	"fmt"
	"os"
	"strings"
	"testing"
)

// update rewrites docs/configuration.md.
var update = goflag.Bool("update", false, "rewrite the generated documentation")

const documentPath = "../../docs/configuration.md"

const documentHead = `# Configuration

A node reads one ` + "`appsettings.json`" + `, with comments and trailing commas allowed. Keys are compared regardless of
case. Any value can be overridden by an environment variable with double underscores:
` + "`GitOps__Watcher__PollIntervalSeconds=60`, `Cluster__Join__0=10.0.0.1:7702`" + `. Unknown keys under ` + "`GitOps`, `Cluster`" + `,
` + "`Api`, `Auth` and `Backup`" + ` are errors. Times are ` + "`HH:MM:SS`, `D.HH:MM:SS`" + ` or Go durations such as ` + "`90s`" + `.
` + "`honua config check FILE`" + ` says what is wrong with a file.

What is under ` + "`GitOps`" + `, paths and credentials aside, is cluster-wide: it is replicated when a cluster begins, and
followed again when the files of a majority of the voters say the same new thing. ` + "`Cluster`, `Api`, `Auth` and\n`Backup`" + ` are each node's own. ` + "`$SETTINGS`" + ` stands for a node's file:

` + "```" + `console development
$ honua config check "$SETTINGS"
$ honua settings show
$ honua settings apply "$SETTINGS" --dry-run
$ honua settings apply "$SETTINGS" --reason "poll every minute"
` + "```" + `

` + "`settings show`" + ` prints what is in force. ` + "`settings apply FILE --dry-run`" + ` shows, key by key, what another
file would change, and without ` + "`--dry-run`" + ` puts it in force on all nodes at once, without a
restart; it takes an admin, and overrules the nodes' files as they are. Change those too: the next new thing that a
majority of them says is followed in the place of everything. Until then ` + "`honua status`" + ` and ` + "`/health/ready`" + ` name the keys in which a
file is overruled.

| key | type | default | |
|---|---|---|---|
`

// TestDocument keeps the reference in step with the code.
func TestDocument(t *testing.T) {
	var b strings.Builder
	b.WriteString(documentHead)
	cell := strings.NewReplacer("|", `\|`, "<", "&lt;", ">", "&gt;", "\n", " ")
	for _, e := range Reference() {
		shown := "–"
		if e.Default != "" {
			shown = "`" + e.Default + "`"
		}
		fmt.Fprintf(&b, "| %s | %s | %s | %s |\n", cell.Replace(e.Key), cell.Replace(e.Type), cell.Replace(shown), cell.Replace(e.Text))
	}
	if *update {
		if err := os.WriteFile(documentPath, []byte(b.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	found, err := os.ReadFile(documentPath)
	if err != nil {
		t.Fatal(err)
	}
	if string(found) != b.String() {
		t.Errorf("%s is not what the code says; run: go test ./internal/config -run TestDocument -update", documentPath)
	}
}
