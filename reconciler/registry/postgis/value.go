package postgis

import (
	"encoding/binary"
	"math"
	"strconv"
	"time"
	"unicode/utf8"
)

// The functions of this file write one value of PostgreSQL's binary form as JSON. A value whose length is not its
// type's cannot come from the server; it is shown as null.

func appendNull(out []byte) []byte { return append(out, "null"...) }

func appendBool(out, raw []byte) []byte {
	if len(raw) != 1 {
		return appendNull(out)
	}
	return strconv.AppendBool(out, raw[0] != 0)
}

func appendInt2(out, raw []byte) []byte {
	if len(raw) != 2 {
		return appendNull(out)
	}
	return strconv.AppendInt(out, int64(int16(binary.BigEndian.Uint16(raw))), 10)
}

func appendInt4(out, raw []byte) []byte {
	if len(raw) != 4 {
		return appendNull(out)
	}
	return strconv.AppendInt(out, int64(int32(binary.BigEndian.Uint32(raw))), 10)
}

func appendInt8(out, raw []byte) []byte {
	if len(raw) != 8 {
		return appendNull(out)
	}
	return strconv.AppendInt(out, int64(binary.BigEndian.Uint64(raw)), 10)
}

func appendFloat4(out, raw []byte) []byte {
	if len(raw) != 4 {
		return appendNull(out)
	}
	return appendFloat(out, float64(math.Float32frombits(binary.BigEndian.Uint32(raw))), 32)
}

func appendFloat8(out, raw []byte) []byte {
	if len(raw) != 8 {
		return appendNull(out)
	}
	return appendFloat(out, math.Float64frombits(binary.BigEndian.Uint64(raw)), 64)
}

// appendFloat shows what JSON has no number for as null.
func appendFloat(out []byte, v float64, bits int) []byte {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return appendNull(out)
	}
	if magnitude := math.Abs(v); magnitude != 0 && (magnitude < 1e-6 || magnitude >= 1e21) {
		return strconv.AppendFloat(out, v, 'e', -1, bits)
	}
	return strconv.AppendFloat(out, v, 'f', -1, bits)
}

// appendDecimal copies a number in text form; NaN and Infinity, which numeric has too, are null.
func appendDecimal(out, raw []byte) []byte {
	if len(raw) == 0 || raw[len(raw)-1] < '0' || raw[len(raw)-1] > '9' {
		return appendNull(out)
	}
	return append(out, raw...)
}

// appendJSON copies a value that is JSON.
func appendJSON(out, raw []byte) []byte {
	if len(raw) == 0 {
		return appendNull(out)
	}
	return append(out, raw...)
}

// epoch is where PostgreSQL counts from.
func epoch() time.Time { return time.Date(2000, time.January, 1, 0, 0, 0, 0, time.UTC) }

func appendDate(out, raw []byte) []byte {
	day, ok := dayOf(raw)
	if !ok {
		return appendNull(out)
	}
	out = append(out, '"')
	out = day.AppendFormat(out, time.DateOnly)
	return append(out, '"')
}

// appendMidnight shows a date as the date-time at which it begins.
func appendMidnight(out, raw []byte) []byte {
	day, ok := dayOf(raw)
	if !ok {
		return appendNull(out)
	}
	return appendTime(out, day)
}

func dayOf(raw []byte) (time.Time, bool) {
	if len(raw) != 4 {
		return time.Time{}, false
	}
	days := int32(binary.BigEndian.Uint32(raw))
	if days == math.MaxInt32 || days == math.MinInt32 { // infinity
		return time.Time{}, false
	}
	return inYears(epoch().AddDate(0, 0, int(days)))
}

// appendTimestamp shows a timestamp, of which one without a time zone is taken to be in UTC.
func appendTimestamp(out, raw []byte) []byte {
	if len(raw) != 8 {
		return appendNull(out)
	}
	micros := int64(binary.BigEndian.Uint64(raw))
	if micros == math.MaxInt64 || micros == math.MinInt64 { // infinity
		return appendNull(out)
	}
	at, ok := inYears(time.UnixMicro(epoch().UnixMicro() + micros).UTC())
	if !ok {
		return appendNull(out)
	}
	return appendTime(out, at)
}

// inYears tells times that RFC 3339 can write.
func inYears(t time.Time) (time.Time, bool) { return t, t.Year() >= 0 && t.Year() <= 9999 }

func appendTime(out []byte, at time.Time) []byte {
	out = append(out, '"')
	out = at.AppendFormat(out, time.RFC3339Nano)
	return append(out, '"')
}

const hexDigits = "0123456789abcdef"

// appendString quotes text as JSON. What is no UTF-8, which a database of another encoding may hold, is replaced.
func appendString(out, raw []byte) []byte {
	out = append(out, '"')
	plain := 0
	for i := 0; i < len(raw); {
		c := raw[i]
		if c >= utf8.RuneSelf {
			r, size := utf8.DecodeRune(raw[i:])
			if r == utf8.RuneError && size == 1 {
				out = append(append(out, raw[plain:i]...), `\ufffd`...)
				plain = i + size
			}
			i += size
			continue
		}
		if c >= ' ' && c != '"' && c != '\\' {
			i++
			continue
		}
		out = append(out, raw[plain:i]...)
		out = appendEscaped(out, c)
		i++
		plain = i
	}
	out = append(out, raw[plain:]...)
	return append(out, '"')
}

func appendEscaped(out []byte, c byte) []byte {
	switch c {
	case '"', '\\':
		return append(out, '\\', c)
	case '\n':
		return append(out, `\n`...)
	case '\r':
		return append(out, `\r`...)
	case '\t':
		return append(out, `\t`...)
	}
	return append(out, '\\', 'u', '0', '0', hexDigits[c>>4], hexDigits[c&0xf])
}
