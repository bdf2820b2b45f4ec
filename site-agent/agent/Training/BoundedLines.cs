using System.Text;

namespace FedSeg.SiteAgent.Training;

/// <summary>
/// Lines of a process that parses strangers' files, and so is not believed to end its lines: one that grows beyond the bound is refused before it costs memory.
/// </summary>
internal sealed class BoundedLines(TextReader reader)
{
    /// <summary>Longest accepted line, characters.</summary>
    public const int MaximumLength = 1 << 20;

    private readonly char[] _buffer = new char[4096];
    private readonly StringBuilder _line = new();
    private int _position;
    private int _length;

    /// <summary>The next line without its end; <see langword="null"/> when there is none.</summary>
    /// <exception cref="InvalidDataException">The line is too long.</exception>
    public async Task<string?> ReadAsync(CancellationToken cancellationToken)
    {
        _line.Clear();
        while (true)
        {
            if (_position == _length)
            {
                _length = await reader.ReadAsync(_buffer, cancellationToken);
                _position = 0;
                if (_length == 0) return _line.Length > 0 ? _line.ToString() : null;
            }

            var end = Array.IndexOf(_buffer, '\n', _position, _length - _position);
            var stop = end >= 0 ? end : _length;
            if (_line.Length + stop - _position > MaximumLength) throw new InvalidDataException("wrote a line that is too long");
            _line.Append(_buffer, _position, stop - _position);
            _position = end >= 0 ? end + 1 : stop;
            if (end >= 0) return _line.ToString();
        }
    }
}
