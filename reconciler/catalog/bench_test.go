package catalog

import "testing"

func BenchmarkParse10000Layers(b *testing.B) {
	files := largeFiles(10_000)
	b.SetBytes(int64(len(files[0].Content)))
	b.ReportAllocs()
	for b.Loop() {
		mustParse(b, files)
	}
}

func BenchmarkDiff10000Layers(b *testing.B) {
	old, changed := mustParse(b, largeFiles(10_000)), mustParse(b, largeFiles(10_000))
	for i := range 100 {
		changed.Services[i%10].Layers[i].Title = "changed"
	}
	b.ReportAllocs()
	for b.Loop() {
		if plan := Diff(old, changed); len(plan.Modified) != 100 {
			b.Fatal(len(plan.Modified))
		}
	}
}
