package engine

import (
	"fmt"
	"os"
	"strings"

	"github.com/mambac/mambac/runtime/cpu"
)

// LevelEnv names the environment variable that forces a level.
const LevelEnv = "MAMBAC_CPU"

// level chooses the kernels: the named ones, else those that the environment
// forces, else the most preferred that this processor has.
func (c *Compiled) level(name string) (string, error) {
	if name == "" {
		name = os.Getenv(LevelEnv)
	}
	var all, why []string
	for _, l := range c.Levels {
		all = append(all, l.Name)
		if name != "" && name != l.Name {
			continue
		}
		missing := l.missing()
		if len(missing) == 0 {
			return l.Name, nil
		}
		why = append(why, l.Name+" needs "+strings.Join(missing, ", "))
	}
	if len(why) == 0 {
		return "", fmt.Errorf("level %q is not in this program, which has %s; build it with --cpu %s or all", name, strings.Join(all, ", "), name)
	}
	return "", fmt.Errorf("this processor (%s) lacks what the program was built for: %s; build it with --cpu all", cpu.Name(), strings.Join(why, "; "))
}

// missing lists the features of a level that this processor has not.
func (l Level) missing() []string {
	var list []string
	for _, f := range l.Features {
		if !cpu.Has(f) {
			list = append(list, f)
		}
	}
	return list
}

// Best is the level that New would choose here.
func (c *Compiled) Best() (string, error) { return c.level("") }
