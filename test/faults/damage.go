package faults

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
)

// Damage is a way in which a file comes back from a disk as another one.
type Damage string

// The ways in which files are damaged.
const (
	// Flip changes one bit.
	Flip Damage = "a flipped bit"
	// Zero leaves zeros where something was: a block that was never written.
	Zero Damage = "a block of zeros"
	// Cut takes the end of the file away.
	Cut Damage = "a cut end"
	// Noise has something else in the place of a block.
	Noise Damage = "a block of noise"
)

// Damages are all ways.
func Damages() []Damage { return []Damage{Flip, Zero, Cut, Noise} }

// block is how much of a file a disk loses at once, bytes.
const block = 512

// Spoil damages a file at a random place and says what it did. The file is another one afterwards; one that is empty
// cannot be damaged.
func Spoil(path string, how Damage, random *rand.Rand) (string, error) {
	content, err := os.ReadFile(path)
	if err != nil {
		return "", err
	}
	if len(content) == 0 {
		return "", fmt.Errorf("%s is empty: it has nothing to damage", path)
	}
	spoilt, at := spoil(content, how, random)
	if bytes.Equal(spoilt, content) { // zeros, where zeros were
		how = Flip
		spoilt, at = spoil(content, how, random)
	}
	return fmt.Sprintf("%s at %d of %d", how, at, len(content)), os.WriteFile(path, spoilt, 0)
}

func spoil(content []byte, how Damage, random *rand.Rand) (spoilt []byte, at int) {
	at = random.IntN(len(content))
	if how == Cut {
		return content[:at], at
	}
	spoilt = bytes.Clone(content)
	if how == Flip {
		spoilt[at] ^= 1 << random.IntN(8)
		return spoilt, at
	}
	at -= at % block
	for i := at; i < min(at+block, len(spoilt)); i++ {
		spoilt[i] = 0
		if how == Noise {
			spoilt[i] = byte(random.IntN(256))
		}
	}
	return spoilt, at
}
