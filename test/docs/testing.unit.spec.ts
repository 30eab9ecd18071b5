// What docs/testing.md shows: tests, which run here.
import '../../docs/snippets/testing';
