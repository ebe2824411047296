package postgis

import (
	"encoding/binary"
	"encoding/json"
	"math"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func raw8(v int64) []byte { return binary.BigEndian.AppendUint64(nil, uint64(v)) }
func raw4(v int32) []byte { return binary.BigEndian.AppendUint32(nil, uint32(v)) }

func TestValues(t *testing.T) {
	for _, test := range []struct {
		write func(out, raw []byte) []byte
		raw   []byte
		want  string
	}{
		{appendBool, []byte{1}, "true"}, {appendBool, []byte{0}, "false"}, {appendBool, nil, "null"},
		{appendInt2, []byte{0xff, 0xfe}, "-2"}, {appendInt4, raw4(-3), "-3"}, {appendInt8, raw8(math.MinInt64), "-9223372036854775808"},
		{appendInt2, []byte{1}, "null"}, {appendInt4, []byte{1}, "null"}, {appendInt8, []byte{1}, "null"},
		{appendFloat4, raw4(int32(math.Float32bits(0.1))), "0.1"}, {appendFloat8, raw8(int64(math.Float64bits(1e300))), "1e+300"},
		{appendFloat8, raw8(int64(math.Float64bits(math.Inf(1)))), "null"}, {appendFloat8, nil, "null"}, {appendFloat4, nil, "null"},
		{appendDecimal, []byte("10.50"), "10.50"}, {appendDecimal, []byte("NaN"), "null"}, {appendDecimal, []byte("-Infinity"), "null"},
		{appendJSON, []byte(`{"a":1}`), `{"a":1}`}, {appendJSON, nil, "null"},
		{appendDate, raw4(0), `"2000-01-01"`}, {appendDate, raw4(math.MaxInt32), "null"}, {appendDate, raw4(-2000000), "null"},
		{appendMidnight, raw4(1), `"2000-01-02T00:00:00Z"`}, {appendMidnight, nil, "null"},
		{appendTimestamp, raw8(1500000), `"2000-01-01T00:00:01.5Z"`}, {appendTimestamp, raw8(math.MinInt64), "null"},
		{appendTimestamp, raw8(math.MaxInt64 - 1), "null"}, {appendTimestamp, nil, "null"},
		{appendString, []byte("a\"\\\n\r\t\x01\xffé"), `"a\"\\\n\r\t\u0001\ufffdé"`},
	} {
		if got := string(test.write([]byte("x"), test.raw)); got != "x"+test.want {
			t.Errorf("%x: %s; want %s", test.raw, got, test.want)
		}
	}
}

func TestTimesAreThoseOfTime(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		micros := rapid.Int64Range(epochMicros(0), epochMicros(9999)).Draw(t, "micros")
		var got time.Time
		if err := json.Unmarshal(appendTimestamp(nil, raw8(micros)), &got); err != nil {
			t.Fatal(err)
		}
		if got.UnixMicro() != epoch().UnixMicro()+micros {
			t.Fatalf("%d: %v", micros, got)
		}
	})
}

func epochMicros(year int) int64 {
	return time.Date(year, 6, 1, 0, 0, 0, 0, time.UTC).UnixMicro() - epoch().UnixMicro()
}

// Any bytes become a JSON string that is what Go makes of them.
func FuzzAppendString(f *testing.F) {
	f.Add([]byte("a\"\\\n\x00\xff\u2028"))
	f.Fuzz(func(t *testing.T, raw []byte) {
		var got string
		if err := json.Unmarshal(appendString(nil, raw), &got); err != nil || got != string([]rune(string(raw))) {
			t.Fatalf("%q: %q, %v", raw, got, err)
		}
	})
}
