package policy

import (
	"testing"

	"github.com/rogpeppe/go-internal/txtar"
)

func BenchmarkParse(b *testing.B) {
	archive, err := txtar.ParseFile("testdata/problems/good.txtar")
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if doc, problems := Parse(File, archive.Files[0].Data); doc == nil {
			b.Fatal(problems)
		}
	}
}

func BenchmarkNextOpen(b *testing.B) {
	w := window(b, "{allowedDays: [Mon], allowedHours: {start: 09:00, end: 17:00}, timeZone: Europe/Berlin}")
	at := date("2026-11-23T18:00:00Z")
	for b.Loop() {
		if _, found := w.NextOpen(at); !found {
			b.Fatal("never opens")
		}
	}
}
