// What llama.cpp's own multimodal library makes of images: the tokens around them, the rows that the model gets, where the
// rows stand, and what a model says about them. Built and run by make-expected.ts, see there.
//
//   mtmd-rows LIBRARIES MODEL PROJECTOR FLASH ROWS < images
//
// LIBRARIES: the folder of ggml's backends. FLASH: 1 with flash attention, 0 without. ROWS: a file for the rows of all images, as 32-bit floats one behind another.
// Each line of the input is an image: width, height and a file of its bytes (red, green, blue). Each line of the output
// is a JSON object with its chunks and the greedy tokens behind `a<image>b`.
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <string>
#include <vector>

#include "ggml-backend.h"
#include "llama.h"
#include "mtmd-helper.h"
#include "mtmd.h"

static const int greedy_tokens = 6;

static void fail(const std::string & what) {
    std::cerr << what << std::endl;
    std::exit(1);
}

static std::vector<unsigned char> read_file(const std::string & path) {
    std::ifstream in(path, std::ios::binary);
    if (!in) fail("no " + path);
    return std::vector<unsigned char>((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
}

static void print_list(const char * name, const std::vector<int> & values) {
    std::printf("\"%s\":[", name);
    for (size_t i = 0; i < values.size(); i++) std::printf("%s%d", i ? "," : "", values[i]);
    std::printf("]");
}

static void print_chunk(mtmd_context * ctx, const mtmd_input_chunk * chunk, size_t width, std::ofstream & rows) {
    if (mtmd_input_chunk_get_type(chunk) == MTMD_INPUT_CHUNK_TYPE_TEXT) {
        size_t count = 0;
        const llama_token * tokens = mtmd_input_chunk_get_tokens_text(chunk, &count);
        std::printf("{");
        print_list("tokens", std::vector<int>(tokens, tokens + count));
        std::printf("}");
        return;
    }
    if (mtmd_encode_chunk(ctx, chunk) != 0) fail("an image was not encoded");
    const size_t count = mtmd_input_chunk_get_n_tokens(chunk);
    rows.write(reinterpret_cast<const char *>(mtmd_get_output_embd(ctx)), count * width * sizeof(float));
    std::vector<int> lines, columns, times;
    for (size_t i = 0; i < count; i++) {
        const auto at = mtmd_image_tokens_get_decoder_pos(mtmd_input_chunk_get_tokens_image(chunk), 0, i);
        times.push_back(at.t);
        lines.push_back(at.y);
        columns.push_back(at.x);
    }
    std::printf("{\"rows\":%zu,\"advance\":%d,", count, (int) mtmd_input_chunk_get_n_pos(chunk));
    print_list("times", times);
    std::printf(",");
    print_list("lines", lines);
    std::printf(",");
    print_list("columns", columns);
    std::printf("}");
}

static std::vector<int> answer(mtmd_context * ctx, llama_context * lctx, mtmd_input_chunks * chunks) {
    const int vocabulary = llama_vocab_n_tokens(llama_model_get_vocab(llama_get_model(lctx)));
    llama_pos past = 0;
    llama_memory_clear(llama_get_memory(lctx), true);
    if (mtmd_helper_eval_chunks(ctx, lctx, chunks, 0, 0, llama_n_batch(lctx), true, &past) != 0) fail("no decode");
    std::vector<int> tokens;
    while ((int) tokens.size() < greedy_tokens) {
        const float * logits = llama_get_logits_ith(lctx, -1);
        llama_token next = std::max_element(logits, logits + vocabulary) - logits;
        tokens.push_back(next);
        llama_batch batch = llama_batch_get_one(&next, 1);
        if (llama_decode(lctx, batch) != 0) fail("no decode of a token");
    }
    return tokens;
}

static void silent(ggml_log_level level, const char * text, void *) {
    if (level == GGML_LOG_LEVEL_ERROR) std::cerr << text;
}

int main(int argc, char ** argv) {
    if (argc != 6) fail("mtmd-rows LIBRARIES MODEL PROJECTOR FLASH ROWS < images");
    llama_log_set(silent, nullptr);
    mtmd_log_set(silent, nullptr);
    mtmd_helper_log_set(silent, nullptr);
    ggml_backend_load_all_from_path(argv[1]);
    const auto flash = std::string(argv[4]) == "1" ? LLAMA_FLASH_ATTN_TYPE_ENABLED : LLAMA_FLASH_ATTN_TYPE_DISABLED;

    llama_model_params model_params = llama_model_default_params();
    llama_model * model = llama_model_load_from_file(argv[2], model_params);
    if (!model) fail("no model");
    llama_context_params context_params = llama_context_default_params();
    context_params.n_ctx = 8192;
    context_params.n_batch = context_params.n_ubatch = 2048;
    context_params.n_threads = context_params.n_threads_batch = 1;
    context_params.flash_attn_type = flash;
    llama_context * lctx = llama_init_from_model(model, context_params);
    if (!lctx) fail("no context");

    mtmd_context_params params = mtmd_context_params_default();
    params.use_gpu = false;
    params.print_timings = false;
    params.warmup = false;
    params.n_threads = 1;
    params.flash_attn_type = flash;
    mtmd_context * ctx = mtmd_init_from_file(argv[3], model, params);
    if (!ctx) fail("no projector");

    const size_t width = llama_model_n_embd_inp(model);
    std::ofstream rows(argv[5], std::ios::binary);
    int nx, ny;
    std::string path;
    while (std::cin >> nx >> ny >> path) {
        const auto bytes = read_file(path);
        if (bytes.size() != (size_t) nx * ny * 3) fail(path + " has another size");
        mtmd_bitmap * bitmap = mtmd_bitmap_init(nx, ny, bytes.data());
        mtmd_input_chunks * chunks = mtmd_input_chunks_init();
        const std::string prompt = std::string("a") + mtmd_default_marker() + "b";
        const mtmd_input_text text = { prompt.c_str(), prompt.size(), false, true };
        const mtmd_bitmap * bitmaps[] = { bitmap };
        if (mtmd_tokenize(ctx, chunks, &text, bitmaps, 1) != 0) fail(path + " was not tokenized");
        std::printf("{\"chunks\":[");
        for (size_t i = 0; i < mtmd_input_chunks_size(chunks); i++) {
            if (i) std::printf(",");
            print_chunk(ctx, mtmd_input_chunks_get(chunks, i), width, rows);
        }
        std::printf("],");
        print_list("answer", answer(ctx, lctx, chunks));
        std::printf("}\n");
        std::fflush(stdout);
        mtmd_input_chunks_free(chunks);
        mtmd_bitmap_free(bitmap);
    }
    mtmd_free(ctx);
    llama_free(lctx);
    llama_model_free(model);
}
