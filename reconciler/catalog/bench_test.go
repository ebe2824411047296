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
