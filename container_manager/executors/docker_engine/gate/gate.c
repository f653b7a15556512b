/* The first program of a container that is made ahead of its job.
 *
 * gate         waits for a header on standard input and then becomes the command that it names, in place: the same
 *              process, the same outputs, what follows the header as its input.
 * gate pause   does nothing until SIGTERM or SIGINT.
 *
 * The header is five numbers of 32 bits, little-endian: MAGIC, the bytes of its text, the arguments, the variables,
 * and KEEPS_STDIN or 0; then the text: each argument and each NAME=value with a NUL after it. The variables are put
 * over those that the container has.
 *
 * A header that breaks off is of a launch that broke off: who waits for it waits for ever, so that a container that
 * has ended has run its job.
 *
 * A command that cannot be executed is told in the words and with the exit code of the init (tini), and is sought on
 * PATH as that does it. There is no libc: the program is small and runs in any image.
 */

typedef unsigned int u32;
typedef unsigned long u64;

#define MAGIC 0x31475250u /* "PRG1" */
#define KEEPS_STDIN 1u
#define MOST_TEXT (256 * 1024)
#define MOST_WORDS 8192
#define MOST_VARIABLES 8192
#define MOST_PATH 4096
#define MOST_NAME 255

enum { EPERM = 1, ENOENT = 2, EINTR = 4, EIO = 5, E2BIG = 7, ENOEXEC = 8, ENOMEM = 12, EACCES = 13, ENODEV = 19,
       ENOTDIR = 20, EISDIR = 21, EINVAL = 22, ENFILE = 23, EMFILE = 24, ETXTBSY = 26, ENAMETOOLONG = 36, ELOOP = 40,
       ELIBBAD = 80, ETIMEDOUT = 110, ESTALE = 116 };

#if defined(__x86_64__)
enum { READ = 0, WRITEV = 20, DUP3 = 292, GETPID = 39, EXECVE = 59, EXIT = 231, OPENAT = 257, CLOSE = 3,
       SIGPROCMASK = 14, SIGTIMEDWAIT = 128, PPOLL = 271 };

__asm__(".globl _start\n_start:\n xor %ebp, %ebp\n mov %rsp, %rdi\n and $-16, %rsp\n call begin\n");

static long call(long number, long a, long b, long c, long d, long e)
{
    long answer;
    register long r10 __asm__("r10") = d;
    register long r8 __asm__("r8") = e;
    __asm__ volatile("syscall" : "=a"(answer) : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8)
                     : "rcx", "r11", "memory");
    return answer;
}
#elif defined(__aarch64__)
enum { READ = 63, WRITEV = 66, DUP3 = 24, GETPID = 172, EXECVE = 221, EXIT = 94, OPENAT = 56, CLOSE = 57,
       SIGPROCMASK = 135, SIGTIMEDWAIT = 137, PPOLL = 73 };

__asm__(".globl _start\n_start:\n mov x29, #0\n mov x30, #0\n mov x0, sp\n and sp, x0, #-16\n bl begin\n");

static long call(long number, long a, long b, long c, long d, long e)
{
    register long x8 __asm__("x8") = number;
    register long x0 __asm__("x0") = a;
    register long x1 __asm__("x1") = b;
    register long x2 __asm__("x2") = c;
    register long x3 __asm__("x3") = d;
    register long x4 __asm__("x4") = e;
    __asm__ volatile("svc 0" : "+r"(x0) : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4) : "memory");
    return x0;
}
#else
#error "no system calls are known for this architecture"
#endif

#define AT_FDCWD (-100)
#define O_RDWR 2
#define SIGINT 2
#define SIGTERM 15

struct header { u32 magic, size, arguments, variables, flags; };
struct piece { const char *text; u64 length; };

static char text[MOST_TEXT];
static char *words[MOST_WORDS + 3]; /* room for /bin/sh before, and NULLs after arguments and variables */
static char *environment[MOST_WORDS + MOST_VARIABLES + 1];
static char path[MOST_PATH + MOST_NAME + 2];

static u64 length_of(const char *word)
{
    u64 length = 0;
    while (word[length])
        length++;
    return length;
}

static int is_same(const char *one, const char *other)
{
    while (*one && *one == *other)
        one++, other++;
    return *one == *other;
}

/* Whether both are variables of the same name. */
static int is_same_name(const char *one, const char *other)
{
    while (*one && *one != '=' && *one == *other)
        one++, other++;
    return *one == '=' && *other == '=';
}

static void exit_with(int status)
{
    for (;;)
        call(EXIT, status, 0, 0, 0, 0);
}

static void wait_for_ever(void)
{
    for (;;)
        call(PPOLL, 0, 0, 0, 0, 0);
}

static int pause_until_told(void)
{
    u64 set = 1ul << (SIGTERM - 1) | 1ul << (SIGINT - 1);
    call(SIGPROCMASK, 0, (long)&set, 0, sizeof set, 0); /* blocked, they also reach a PID 1 */
    while (call(SIGTIMEDWAIT, (long)&set, 0, 0, sizeof set, 0) < 0)
        continue;
    return 0;
}

static void read_all(void *into, u64 size)
{
    char *at = into;
    while (size) {
        long count = call(READ, 0, (long)at, (long)size, 0, 0);
        if (count == -EINTR)
            continue;
        if (count <= 0)
            wait_for_ever();
        at += count;
        size -= (u64)count;
    }
}

/* Point `count` words at what stands from `at` on; where the next one stands, or NULL if the text is too short. */
static char *take(char **into, u32 count, char *at, const char *end)
{
    for (u32 index = 0; index < count; index++) {
        if (!at || at == end)
            return 0;
        into[index] = at;
        while (at < end && *at)
            at++;
        if (at++ == end)
            return 0;
    }
    return at;
}

static void merge(char **own, char **given)
{
    u32 count = 0;
    for (; *own && count < MOST_VARIABLES; own++) {
        char **other = given;
        while (*other && !is_same_name(*own, *other))
            other++;
        if (!*other)
            environment[count++] = *own;
    }
    while (*given)
        environment[count++] = *given++;
}

static const char *value_of(const char *assignment)
{
    for (char **each = environment; *each; each++)
        if (is_same_name(*each, assignment))
            return *each + length_of(assignment);
    return 0;
}

/* `arguments[-1]` is free. Returns only if it fails. */
static long execute(char *file, char **arguments)
{
    static char shell[] = "/bin/sh";
    long error = -call(EXECVE, (long)file, (long)arguments, (long)environment, 0, 0);
    if (error != ENOEXEC)
        return error;
    char *first = arguments[0];
    arguments[-1] = shell;
    arguments[0] = file;
    error = -call(EXECVE, (long)shell, (long)(arguments - 1), (long)environment, 0, 0);
    arguments[0] = first;
    return error;
}

static long execute_on_path(char **arguments)
{
    char *name = arguments[0];
    u64 length = length_of(name);
    int is_forbidden = 0;
    long error = ENOENT;
    if (!length)
        return ENOENT;
    for (char *each = name; *each; each++)
        if (*each == '/')
            return execute(name, arguments);
    if (length > MOST_NAME)
        return ENAMETOOLONG;
    const char *folder = value_of("PATH=");
    if (!folder)
        folder = "/bin:/usr/bin";
    for (;; folder++) {
        u64 at = 0, kept = 0;
        while (folder[at] && folder[at] != ':')
            at++;
        if (at <= MOST_PATH) {
            for (; kept < at; kept++)
                path[kept] = folder[kept];
            if (kept)
                path[kept++] = '/';
            for (u64 index = 0; index <= length; index++)
                path[kept + index] = name[index];
            error = execute(path, arguments);
            if (error == EACCES)
                is_forbidden = 1;
            else if (error != ENOENT && error != ESTALE && error != ENOTDIR && error != ENODEV && error != ETIMEDOUT)
                return error;
        }
        folder += at;
        if (!*folder)
            return is_forbidden ? EACCES : error;
    }
}

static const char *words_for(long error)
{
    switch (error) {
    case EPERM: return "Operation not permitted";
    case ENOENT: return "No such file or directory";
    case EIO: return "Input/output error";
    case E2BIG: return "Argument list too long";
    case ENOEXEC: return "Exec format error";
    case ENOMEM: return "Cannot allocate memory";
    case EACCES: return "Permission denied";
    case ENODEV: return "No such device";
    case ENOTDIR: return "Not a directory";
    case EISDIR: return "Is a directory";
    case EINVAL: return "Invalid argument";
    case ENFILE: return "Too many open files in system";
    case EMFILE: return "Too many open files";
    case ETXTBSY: return "Text file busy";
    case ENAMETOOLONG: return "File name too long";
    case ELOOP: return "Too many levels of symbolic links";
    case ELIBBAD: return "Accessing a corrupted shared library";
    case ETIMEDOUT: return "Connection timed out";
    case ESTALE: return "Stale file handle";
    default: return "Unknown error";
    }
}

static int tell(const char *command, long error)
{
    char digits[20];
    u64 at = sizeof digits, pid = (u64)call(GETPID, 0, 0, 0, 0, 0);
    do
        digits[--at] = (char)('0' + pid % 10);
    while (pid /= 10);
    struct piece pieces[] = {
        {"[FATAL tini (", 13}, {digits + at, sizeof digits - at}, {")] exec ", 8}, {command, length_of(command)},
        {" failed: ", 9}, {words_for(error), length_of(words_for(error))}, {"\n", 1},
    };
    call(WRITEV, 2, (long)pieces, sizeof pieces / sizeof *pieces, 0, 0);
    return error == ENOENT ? 127 : error == EACCES ? 126 : 1;
}

static int become(char **own)
{
    struct header header;
    char **arguments = words + 1;
    read_all(&header, sizeof header);
    if (header.magic != MAGIC || header.size > MOST_TEXT || !header.arguments || header.arguments > MOST_WORDS
        || header.variables > MOST_WORDS - header.arguments)
        wait_for_ever();
    read_all(text, header.size);
    const char *end = text + header.size;
    char **variables = arguments + header.arguments + 1;
    if (take(variables, header.variables, take(arguments, header.arguments, text, end), end) != end)
        wait_for_ever();
    merge(own, variables);
    if (!(header.flags & KEEPS_STDIN)) {
        long null = call(OPENAT, AT_FDCWD, (long)"/dev/null", O_RDWR, 0, 0);
        if (null > 0) {
            call(DUP3, null, 0, 0, 0, 0);
            call(CLOSE, null, 0, 0, 0, 0);
        }
    }
    return tell(arguments[0], execute_on_path(arguments));
}

__attribute__((used)) void begin(long *stack)
{
    long count = stack[0];
    char **arguments = (char **)(stack + 1);
    int is_pause = count > 1 && is_same(arguments[1], "pause");
    exit_with(is_pause ? pause_until_told() : become(arguments + count + 1));
}
